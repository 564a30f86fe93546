import { useEffect, useState } from "preact/hooks";

/** A picture that says so when it does not come; a new address is a new try. */
export function Photo({ src, alt, failed }: { src: string; alt: string; failed: string }) {
  const [lost, setLost] = useState(false);
  useEffect(() => setLost(false), [src]);
  if (lost) return <p class="photo-lost">{failed}</p>;
  return <img src={src} alt={alt} loading="lazy" decoding="async" onError={() => setLost(true)} />;
}
