/** Opens a connection as it is asked to, in the Workers runtime, and says what came of it. */
import { type NatsAccess, openConnection } from "#nats/open-connection.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      const access = (await request.json()) as NatsAccess;
      const connection = await openConnection({ ...access, reconnect: false, timeout: 5_000 });
      const answer = await connection.request("$JS.API.INFO", "", { timeout: 2_000 });
      await connection.close();
      return Response.json({ answer: answer.string() });
    } catch (error) {
      return Response.json({ error: String(error), stack: error instanceof Error ? error.stack : "" });
    }
  },
};
