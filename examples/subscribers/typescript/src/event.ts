/** A record of an events topic, read as a CloudEvent in binary mode. */

import { type CloudEvent, Kafka as CloudEvents } from "cloudevents";
import type { KafkaMessage } from "kafkajs";

/** What `assignment.account.aligned.v1` says; fields that are not named here may come and go. */
export interface AccountAligned {
  account_id: string;
  from_territory_id: string | null;
  to_territory_id: string | null;
  valid_from: string;
}

/** Read a record. Throws for one that is no CloudEvent. */
export function eventOf(message: KafkaMessage): CloudEvent<unknown> {
  const headers = Object.fromEntries(
    Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  const value = message.value?.toString() ?? "";
  const binary = { headers, key: message.key?.toString() ?? "", value, body: value };
  const event = CloudEvents.toEvent<unknown>(binary);
  return (Array.isArray(event) ? event[0] : event) as CloudEvent<unknown>;
}

/** Versions by account: an event counts when it is the next one. */
export class Versions {
  private readonly seen = new Map<string, number>();

  /** Tell whether an event is new; a repeat is not. Throws when one before it was never seen. */
  isNext(key: string, version: number): boolean {
    const before = this.seen.get(key);
    if (before !== undefined && version <= before) return false;
    if (before !== undefined && version > before + 1) {
      throw new Error(`account ${key}: version ${version} after ${before}`);
    }
    this.seen.set(key, version);
    return true;
  }

  /** Begin anew: whoever had a partition meanwhile has read on, and what comes next is no hole. */
  forget(): void {
    this.seen.clear();
  }
}
