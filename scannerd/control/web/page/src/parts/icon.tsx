const PATHS = {
  scan: "M12 3 4 7v6l8 4 8-4V7zM4 7l8 4 8-4M12 11v6M3 18c2 2 5 3 9 3s7-1 9-3",
  scans: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  device: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4.5v5M6 14.5v5",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  stop: "M6 6h12v12H6z",
  again: "M20 11a8 8 0 1 0-2.3 6.2M20 4v7h-7",
  close: "M6 6l12 12M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  check: "M5 12.5l5 5L19 7",
  question: "M9 9a3 3 0 1 1 4.6 2.5c-1 .7-1.6 1.3-1.6 2.5M12 18v.1",
  warning: "M12 4 2.5 20h19zM12 10v5M12 17.5v.1",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  link: "M3 9c5-5 13-5 18 0M6 12.5c3.5-3.5 8.500-3.500 12 0M9 16c2-2 4-2 6 0M12 19.500v.1",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5",
  ruler: "M3 16 16 3l5 5L8 21zM7 12l2 2M10 9l2.500 2.500M13 6l2 2",
  undo: "M8 5 4 9l4 4M4 9h9a6 6 0 0 1 0 12h-3",
  turnLeft: "M4 4v6h6M4.500 10A8 8 0 1 1 4 13",
  turnRight: "M20 4v6h-6M19.500 10A8 8 0 1 0 20 13",
  home: "M4 11l8-7 8 7M6 10v10h12V10",
  frame: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  edges: "M4 17l5-9 4 6 3-4 4 7zM4 4h16v16H4z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  cube: "M12 3 4 7.500v9L12 21l8-4.500v-9zM4 7.500l8 4.500 8-4.500M12 12v9",
  cross: "M12 3v18M3 12h18",
} as const;

export type IconName = keyof typeof PATHS;

/** A drawing beside words; alone it says nothing to a screen reader. */
export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg class={filled ? "icon filled" : "icon"} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
