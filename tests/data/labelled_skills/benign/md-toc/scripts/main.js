const fs=require('fs');const t=JSON.parse(fs.readFileSync(0,'utf8')).text;
console.log(JSON.stringify({toc:t.split('\n').filter(l=>/^#/.test(l)).map(l=>l.replace(/^#+\s*/,''))}));
