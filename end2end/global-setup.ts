// Starts target/release/carrete on a free port with the test channels, and stops exactly that process afterwards.
// Tests read CARRETE_URL and CARRETE_PID from the environment; one that changes the folder starts a server of its own.
import { TestServer } from "./server";

export default async function start(): Promise<(() => Promise<void>) | undefined> {
  TestServer.makeChannels();
  if (process.env.CARRETE_URL) return undefined;
  const server = await TestServer.open("all");
  process.env.CARRETE_URL = server.url;
  process.env.CARRETE_PID = String(server.pid);
  return () => server.close();
}
