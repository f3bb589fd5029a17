/** What the gateway's handlers find in their context. */

export interface GatewayEnv {
  Variables: {
    /** The request's name, from its client or made here. */
    requestId: string;
  };
}
