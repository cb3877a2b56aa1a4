exports.old = typeof module;
