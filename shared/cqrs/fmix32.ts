/** MurmurHash3's last mix: after it, keys that differ in their last character only have nothing in common; 32 bits unsigned. */
export const fmix32 = (hash: number): number => {
  let mix = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
};
