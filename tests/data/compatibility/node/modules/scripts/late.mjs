export const value = 7, meta = import.meta.url;
