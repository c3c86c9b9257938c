// Starts target/release/carrete on a free port with the test channels, and stops exactly that process afterwards.
// Tests read CARRETE_URL and CARRETE_PID from the environment; one that changes the folder opens a house of its own.
import { House } from "./house";

export default async function start(): Promise<(() => Promise<void>) | undefined> {
  House.makeChannels();
  if (process.env.CARRETE_URL) return undefined;
  const house = await House.open("all");
  process.env.CARRETE_URL = house.url;
  process.env.CARRETE_PID = String(house.pid);
  return () => house.close();
}
