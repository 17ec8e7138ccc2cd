export declare function toText(stream: ReadableStream<Uint8Array | string>): Promise<string>;
