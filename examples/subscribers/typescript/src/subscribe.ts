/**
 * Tell of every account that comes to another territory, one JSON line each, in order per account.
 *
 *     npm ci && npm run build
 *     node dist/subscribe.js --bootstrap-servers 127.0.0.1:9094 --group my-subscriber
 *
 * Positions are kept by Kafka for the group: a line may come again after a crash, and none is left out. `--until-end`
 * ends it once everything that is there has been read.
 */

import { parseArgs } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { type AccountAligned, eventOf, Versions } from "./event";

const EVENTS = "assignment.account.events.v1";
const ALIGNED = "assignment.account.aligned.v1";

const { values: options } = parseArgs({
  options: {
    "bootstrap-servers": { type: "string" },
    group: { type: "string", default: "example-subscriber" },
    prefix: { type: "string", default: "" },
    "until-end": { type: "boolean", default: false },
  },
});

/** The offset after the last record, by partition, of every partition that the group has not read to its end. */
async function endsOf(kafka: Kafka, topic: string, groupId: string): Promise<Map<number, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  const read = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  // -1 where the group has read nothing: it begins with the first record that is there.
  const positions = new Map(
    read.flatMap(({ partitions }) => partitions.map(({ partition, offset }): [number, bigint] => [partition, BigInt(offset)])),
  );
  return new Map(
    ends
      .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
      .filter(({ partition, low, high }) => low < high && (positions.get(partition) ?? -1n) < high)
      .map(({ partition, high }) => [partition, high]),
  );
}

async function main(): Promise<void> {
  const brokers = (options["bootstrap-servers"] ?? "").split(",");
  const kafka = new Kafka({ clientId: "example-subscriber", brokers, logLevel: logLevel.ERROR });
  const topic = options.prefix + EVENTS;
  const groupId = options.prefix + options.group;
  const left = await endsOf(kafka, topic, groupId);
  const versions = new Versions();
  const consumer = kafka.consumer({ groupId });
  let done: () => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  const finished = new Promise<void>((resolve, reject) => ([done, failed] = [resolve, reject]));
  // A handler that throws is retried, and what keeps failing ends the process: nothing is passed over.
  consumer.on(consumer.events.CRASH, ({ payload }) => failed(payload.error));
  // All partitions are given back before the group shares them out anew, and another may have read on in between.
  consumer.on(consumer.events.GROUP_JOIN, () => versions.forget());

  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const event = eventOf(message);
      const isNew = versions.isNext(event.subject ?? "", Number(event["aggregateversion"]));
      // Types that are not known here are passed over: new ones may come at any time.
      if (isNew && event.type === ALIGNED) {
        const { account_id, to_territory_id } = event.data as AccountAligned;
        process.stdout.write(`${JSON.stringify({ account_id, territory_id: to_territory_id })}\n`);
      }
      if (BigInt(message.offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
      if (options["until-end"] && left.size === 0) done();
    },
  });
  if (options["until-end"] && left.size === 0) done();
  await finished;
  await consumer.disconnect();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
