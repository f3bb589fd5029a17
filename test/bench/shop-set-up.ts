/** What a shop needs before it takes orders. */

const send = async (method: string, url: string, body: object): Promise<void> => {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`Sending ${method} "${url}": answered ${answer.status}, expected 2xx`);
};

/** @param gateway its origin */
export const putProduct = (gateway: string, sku: string): Promise<void> =>
  send("PUT", `${gateway}/catalog/v1/products/${sku}`, {
    name: sku,
    price: { amount: 1250, currency: "EUR" },
  });

/** @param gateway its origin */
export const receiveStock = (gateway: string, sku: string, quantity: number): Promise<void> =>
  send("POST", `${gateway}/inventory/v1/stock/${sku}/receipts`, { quantity });
