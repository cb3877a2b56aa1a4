const cp = require('child_process');
exports.run = (line) => cp.spawnSync('bash', ['-c', line], { stdio: 'ignore' });
