/** FNV-1a (draft-eastlake-fnv) over UTF-16 units, 32 bits unsigned: cheap, the same everywhere, and spreads ids that differ little. */
export const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
};
