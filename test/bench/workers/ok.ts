/** A service that costs nothing: behind it, all the time is the gateway's. It repeats the request's id as every service does. */
export default {
  fetch(request) {
    const requestId = request.headers.get("x-request-id");
    return new Response("ok", { headers: requestId === null ? {} : { "x-request-id": requestId } });
  },
} satisfies ExportedHandler;
