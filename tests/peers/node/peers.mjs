// What other people's libraries make of what we made: `node peers.mjs TASK` reads JSON from its input and prints JSON.

import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { simpleParser } from "mailparser";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const tasks = {
  // Verifies a webhook as a receiver does.
  verify({ secret, headers, body }) {
    try {
      new Webhook(secret).verify(body, headers);
      return { verified: true };
    } catch (error) {
      return { verified: false, words: error.message };
    }
  },

  // Signs a webhook as another sender does.
  sign({ secret, id, timestamp, body }) {
    return { signature: new Webhook(secret).sign(id, new Date(timestamp * 1000), body) };
  },

  // Signs a request to AWS as its own library does.
  async authorization({ method, url, headers, body, region, accessKeyId, secretAccessKey, time_ms }) {
    const { protocol, host, hostname, pathname } = new URL(url);
    const signer = new SignatureV4({
      service: "ses",
      region,
      credentials: { accessKeyId, secretAccessKey },
      sha256: Sha256,
      applyChecksum: false,
    });
    const request = { method, protocol, hostname, path: pathname, headers: { ...headers, host }, body };
    const options = {
      signingDate: new Date(time_ms),
      signableHeaders: new Set(Object.keys(headers).filter((name) => name !== "user-agent")),
    };
    return { authorization: (await signer.sign(request, options)).headers.authorization };
  },

  // Reads the people of a mail as a mail program does.
  async mail({ source }) {
    const { from, to } = await simpleParser(source);
    return { from: from?.value, to: to?.value };
  },
};

const result = await tasks[process.argv[2]](JSON.parse(await text(process.stdin)));
console.log(JSON.stringify(result));
