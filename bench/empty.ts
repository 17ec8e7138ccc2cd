/** An empty program: what starting a compiled program costs by itself. */
export {};
