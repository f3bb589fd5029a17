/** A service's name in its colour; the same service has the same colour on every page. */

/** How many colours the style sheet knows. */
const COLOURS = 12;

/** @param services all services in the order of appearance */
export const serviceColour = (service: string, services: readonly string[]): string => {
  const place = services.indexOf(service);
  return place < 0 ? "c-none" : `c${place % COLOURS}`;
};

export const ServiceChip = ({ service, services }: { service: string; services: readonly string[] }) => (
  <span class={`chip ${serviceColour(service, services)}`} title={service}>
    {service}
  </span>
);
