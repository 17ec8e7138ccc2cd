export declare function unicodeWidth(str: string): number;
