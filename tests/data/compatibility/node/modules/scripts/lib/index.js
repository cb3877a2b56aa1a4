exports.name = "lib/index";
