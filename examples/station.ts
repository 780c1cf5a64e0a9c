// A video station as a structure: who is there, what plays next, and votes that move it up.
//
//   npx node examples/station.ts        a hive of its own; or: memhive serve --structures ./examples/station.ts
//
// The class is all there is to the server's side. Any Redis client calls it too:
//
//   redis-cli -p 4483 CREATE_STATION lobby
//   redis-cli -p 4483 ADD lobby "so what"

import { connect } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";
import { type HiveCalls, HiveError, Structure } from "../src/structures/index.ts";

type Video = { name: string; voters: Set<string> };

export class Station extends Structure {
  static override reads: readonly string[] = ["STATIONS", "UPCOMING"];

  people: Set<string> = new Set();
  videos: Video[] = [];
  current: string | null = null;

  static CREATE_STATION(hive: HiveCalls, key: string): boolean {
    if (hive.find(Station, key) !== undefined) return false;
    hive.open(Station, key);
    hive.play("SADD", "stations", key);
    return true;
  }

  static STATIONS(hive: HiveCalls): string[] {
    return ([...hive.play("SMEMBERS", "stations")] as string[]).sort();
  }

  JOIN(person: string): number {
    this.people.add(person);
    return this.people.size;
  }

  LEAVE(person: string): number {
    this.people.delete(person);
    for (const { voters } of this.videos) voters.delete(person);
    return this.people.size;
  }

  ADD(name: string): number {
    this.videos.push({ name, voters: new Set() });
    return this.videos.length;
  }

  VOTE(person: string, name: string): number {
    if (!this.people.has(person)) throw new HiveError("INVALID_ARGUMENT", `${person} is not in this station`);
    const video = this.videos.find((known) => known.name === name);
    if (video === undefined) throw new HiveError("INVALID_ARGUMENT", `${name} is not in the queue`);
    video.voters.add(person);
    this.videos.sort((one, other) => other.voters.size - one.voters.size);
    return video.voters.size;
  }

  NEXT(): string | null {
    this.current = this.videos.shift()?.name ?? null;
    return this.current;
  }

  UPCOMING(): string[] {
    return this.videos.map(({ name }) => name);
  }
}

async function main(): Promise<void> {
  await using hive = await Hive.start({ port: 0, structures: [Station] });
  await using db = await connect(`hive://127.0.0.1:${hive.port}`);
  const stations = db.structure<typeof Station>("Station");
  await stations.CREATE_STATION("lobby");
  const lobby = stations.at("lobby");
  await Promise.all([lobby.JOIN("ada"), lobby.JOIN("bob"), lobby.ADD("so what"), lobby.ADD("blue in green")]);
  await lobby.VOTE("ada", "blue in green");
  const refused = await lobby.VOTE("eve", "so what").catch((error: HiveError) => error.message);
  console.log(await stations.STATIONS(), await lobby.UPCOMING(), refused);
  console.log("now playing", await lobby.NEXT());
}

if (import.meta.main) await main();
