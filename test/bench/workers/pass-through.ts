/** The least that can stand before a service: what the gateway and the way of an order are compared with. */
interface Env {
  readonly SERVICE: Fetcher;
}

export default {
  fetch: (request, env) => env.SERVICE.fetch(request),
} satisfies ExportedHandler<Env>;
