/** Types of the pure parts of `bootstrap.mjs`, for its tests. */
export declare const atLeast: (a: string, b: string) => boolean;
export declare const typeStrippingFlags: (version: string) => string[];
export declare const dependenciesMatch: (lock: string, installed: string | null) => boolean;
