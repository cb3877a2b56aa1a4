// crypto: digests, key derivation in the thread pool, ciphers, keys, random bytes.
const crypto = require("crypto");
const facts = { sha: crypto.createHash("sha256").update("Grüße").digest("hex") };
facts.hmac = crypto.createHmac("sha1", "key").update("x").digest("base64");
facts.scrypt = crypto.scryptSync("password", "salt", 16, { N: 1024 }).toString("hex");
crypto.pbkdf2("password", "salt", 1000, 16, "sha512", (error, key) => {
  facts.pbkdf2 = key.toString("hex");
  const cipher = crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32, 1), Buffer.alloc(12, 2));
  facts.cipher = Buffer.concat([cipher.update("secret"), cipher.final(), cipher.getAuthTag()]).toString("hex");
  const { publicKey, privateKey } = crypto.generateKeyPairSync("ed25519");
  facts.signed = crypto.verify(null, Buffer.from("x"), publicKey, crypto.sign(null, Buffer.from("x"), privateKey));
  facts.random = [crypto.randomBytes(8).length, crypto.randomUUID().length, crypto.randomInt(5) < 5];
  facts.distinct = new Set(Array.from({ length: 100 }, () => crypto.randomBytes(8).toString("hex"))).size;
  crypto.subtle.digest("SHA-512", Buffer.from("a")).then((digest) => {
    facts.subtle = Buffer.from(digest).toString("hex").slice(0, 16);
    console.log(JSON.stringify(facts));
  });
});
