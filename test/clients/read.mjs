// Shows webhooks to client libraries as Meta would, and says what they make of them. On standard input an array of
// {library, body, signature}; on standard output an array of lists of {id, sender, type, text}. The only argument is the folder of
// the libraries, SECRET the app secret.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { pathToFileURL } from "node:url";

globalThis.crypto ??= webcrypto; // Debian 12's Node.js has none

const require = createRequire(`${process.argv[2]}/`);
const load = async (name) => await import(pathToFileURL(require.resolve(name)));
const secret = process.env.SECRET;

const { WhatsAppAPI } = await load("whatsapp-api-js/middleware/web-standard");
const { normalizeWebhook, verifySignature } = await load("@kapso/whatsapp-cloud-api/server");

// Present and not empty.
const first = (...texts) => texts.find((text) => text) ?? "";
const textOf = (message) => first(message.text?.body, message.button?.text);

// Its handlers are called with one event each.
async function whatsappApiJs({ body, signature }) {
  const seen = [];
  const see = (id, sender, type, text = "") => seen.push({ id, sender, type, text });
  const api = new WhatsAppAPI({ token: "none", appSecret: secret, secure: true, v: "v24.0" });
  api.on.message = ({ message, contact }) =>
    see(message.id, first(contact.user_id, contact.wa_id), message.type, textOf(message));
  api.on.status = ({ id, contact, recipient, status }) =>
    see(id, first(recipient.group, contact.user_id, contact.wa_id), status);
  const called = ({ call, from }) => see(call.id, first(from), call.event);
  api.on.call = { connect: called, terminate: called, status: ({ id, phone, status }) => see(id, phone, status) };
  const headers = { "Content-Length": String(Buffer.byteLength(body)), "X-Hub-Signature-256": signature };
  const status = await api.handle_post(new Request("http://localhost/", { method: "POST", headers, body }));
  if (status === 401) throw new Error("whatsapp-api-js refuses the signature");
  return seen;
}

// It gives lists, in words of camelCase.
async function kapso({ body, signature }) {
  if (!verifySignature({ appSecret: secret, rawBody: body, signatureHeader: signature }))
    throw new Error("@kapso/whatsapp-cloud-api refuses the signature");
  const { messages, statuses, calls } = normalizeWebhook(JSON.parse(body));
  const customer = (event) =>
    event.kapso?.direction === "outbound" || event.direction === "BUSINESS_INITIATED"
      ? first(event.toUserId, event.to)
      : first(event.fromUserId, event.from);
  const recipient = (status) =>
    first(status.recipientType === "group" && status.recipientId, status.recipientUserId, status.recipientId);
  return [
    ...messages.map((event) => ({ id: event.id, sender: customer(event), type: event.type, text: textOf(event) })),
    ...statuses.map((event) => ({ id: event.id, sender: recipient(event), type: event.status, text: "" })),
    ...calls.map((event) => ({ id: event.id ?? event.callId, sender: customer(event), type: event.event, text: "" })),
  ];
}

const libraries = { "whatsapp-api-js": whatsappApiJs, "@kapso/whatsapp-cloud-api": kapso };
const answers = [];
for (const webhook of JSON.parse(readFileSync(0, "utf8"))) answers.push(await libraries[webhook.library](webhook));
process.stdout.write(JSON.stringify(answers));
