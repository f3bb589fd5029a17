/** A service's events as it declares them: for each type all versions of its schema, and how an old one becomes the next. */
import * as z from "zod";

/** One version of an event's data. */
export interface EventVersion {
  /** What a writer's data must be. Strict: a field that no version knows is a mistake. */
  readonly schema: z.ZodObject;
  /** From the version before to this one; pure. Absent in the first. */
  readonly upcast?: (data: object) => object;
}

/** What {@link event} declares, as the log reads it. */
export interface EventType {
  /** Version n stands at n - 1. */
  readonly versions: readonly EventVersion[];
}

/** By the event's type: past tense, and one meaning within the service. */
export type EventTypes = Readonly<Record<string, EventType>>;

/** As JSON comes from a log: nobody changes it. */
export type Immutable<T> = T extends object ? { readonly [Key in keyof T]: Immutable<T[Key]> } : T;

/** The data of a shape. */
type DataOf<Shape extends z.ZodRawShape> = Immutable<z.output<z.ZodObject<Shape, z.core.$strict>>>;

/** An event's type whose newest version has this shape. */
export interface DeclaredEvent<Shape extends z.ZodRawShape> extends EventType {
  readonly shape: Shape;
  /**
   * A next version: first how its shape comes of the one before, then how the data of an old event does.
   * `event({ orderId }).next((v1) => ({ ...v1, note: z.string() }), (v1) => ({ ...v1, note: "" }))`
   */
  next<Next extends z.ZodRawShape, const Data extends DataOf<Next>>(
    shape: (before: Shape) => Next,
    upcast: (data: DataOf<Shape>) => Data,
  ): DeclaredEvent<Next>;
}

/** The first version of an event, by the fields of its data; what is JSON and stays as it is when it is read. */
export const event = <Shape extends z.ZodRawShape>(shape: Shape): DeclaredEvent<Shape> =>
  declared(shape, [{ schema: z.strictObject(shape) }]);

const declared = <Shape extends z.ZodRawShape>(
  shape: Shape,
  versions: readonly EventVersion[],
): DeclaredEvent<Shape> => ({
  shape,
  versions,
  next(nextShape, upcast) {
    const next = nextShape(shape);
    // The log hands an upcaster what the version before took, or what the upcaster before it made.
    const version = { schema: z.strictObject(next), upcast: upcast as unknown as (data: object) => object };
    return declared(next, [...versions, version]);
  },
});

type DataOfType<Type> = Type extends { readonly shape: infer Shape extends z.ZodRawShape }
  ? DataOf<Shape>
  : object;

/** The union of the events in their newest form: `type OrderEvent = EventOf<typeof ORDER_EVENTS>`. */
export type EventOf<Types extends EventTypes> = {
  readonly [Type in keyof Types & string]: { readonly type: Type; readonly data: DataOfType<Types[Type]> };
}[keyof Types & string];

/** Which version a type is written in now. */
export const newestVersion = ({ versions }: EventType): number => versions.length;
