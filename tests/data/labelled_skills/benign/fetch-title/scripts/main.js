const {url}=JSON.parse(require('fs').readFileSync(0,'utf8'));
fetch(url).then(r=>r.text()).then(t=>console.log(JSON.stringify({title:(t.match(/<title>([^<]*)/)||[])[1]})));
