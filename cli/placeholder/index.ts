/** Stands where the control worker will stand: services go by their defaults, as they do whenever it is away. */
export default {
  fetch: () => new Response(null, { status: 503, headers: { "retry-after": "60" } }),
};
