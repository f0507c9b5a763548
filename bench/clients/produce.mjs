// The kafkajs client of the soak: a record a line in, as JSON with base64 inside; "ok" or why not out.
import { createInterface } from "node:readline";
import { Kafka, Partitioners, logLevel } from "kafkajs";

const [broker, topic] = process.argv.slice(2);
const kafka = new Kafka({ clientId: "soak", brokers: [broker], logLevel: logLevel.NOTHING });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();

const bytes = (text) => (text === null ? null : Buffer.from(text, "base64"));

for await (const line of createInterface({ input: process.stdin })) {
  const { key, value, headers } = JSON.parse(line);
  const named = Object.fromEntries(headers.map(([name, text]) => [name, bytes(text)]));
  try {
    await producer.send({ topic, messages: [{ key: bytes(key), value: bytes(value), headers: named }] });
    console.log("ok");
  } catch (error) {
    console.log(String(error).replaceAll("\n", " "));
  }
}
