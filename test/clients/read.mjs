// Shows webhooks to client libraries as Meta would, and says what they make of them. On standard input an array of
// {library, body, signature}; on standard output an array of lists of {id, sender, type, text}. The only argument is the folder of
// the libraries, SECRET the app secret.
import { readFileSync } from "node:fs";
import { loader, seenByKapso, whatsappApiJs } from "./readers.mjs";

const load = loader(process.argv[2]);
const secret = process.env.SECRET;

const { WhatsAppAPI } = await load("whatsapp-api-js/middleware/web-standard");
const { normalizeWebhook, verifySignature } = await load("@kapso/whatsapp-cloud-api/server");

async function readByWhatsappApiJs({ body, signature }) {
  const { api, seen } = whatsappApiJs(WhatsAppAPI, secret);
  const headers = { "Content-Length": String(Buffer.byteLength(body)), "X-Hub-Signature-256": signature };
  const status = await api.handle_post(new Request("http://localhost/", { method: "POST", headers, body }));
  if (status === 401) throw new Error("whatsapp-api-js refuses the signature");
  return seen;
}

async function readByKapso({ body, signature }) {
  if (!verifySignature({ appSecret: secret, rawBody: body, signatureHeader: signature }))
    throw new Error("@kapso/whatsapp-cloud-api refuses the signature");
  return seenByKapso(normalizeWebhook(JSON.parse(body)));
}

const libraries = { "whatsapp-api-js": readByWhatsappApiJs, "@kapso/whatsapp-cloud-api": readByKapso };
const answers = [];
for (const webhook of JSON.parse(readFileSync(0, "utf8"))) answers.push(await libraries[webhook.library](webhook));
process.stdout.write(JSON.stringify(answers));
