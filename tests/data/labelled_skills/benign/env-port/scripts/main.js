const port=Number(process.env.PORT||8080);console.log(JSON.stringify({port}));
