/** What the daemon sends: the shapes of `/api/v1`. Units stand in the names, as they do over there. */

export type Mood = "idle" | "scanning" | "paused" | "asking" | "uploading" | "done" | "fault";

export interface RunningScan {
  scan_id: string;
  frames_done: number;
  frames_planned: number;
  percent: number;
  index: number | null;
  angle_deg: number | null;
  retakes: number;
  question: string | null;
  /** What went wrong, where the question is about a fault. */
  fault_kind: string | null;
  elapsed_s: number;
  remaining_s: number | null;
  /** Null until enough photos show the object. */
  coverage: Coverage | null;
}

/** What would show more of the object, before it is taken off the table. */
export interface Proposal {
  kind: "ring" | "flip";
  photos: number;
  gain_percent: number;
  elevation_deg: number | null;
  /** For people, in English; a question with these words is this proposal. */
  says: string;
}

/** How much of the object's surface the photos show, as it lies now. */
export interface Coverage {
  side: number;
  photos: number;
  /** By 3 sharp photos or more. */
  covered_percent: number;
  weak_percent: number;
  unseen_percent: number;
  /** The part of the unseen that looks down. */
  underside_percent: number;
  /** Bands of height, lowest first, by sectors: the share that too few photos show. */
  map: (number | null)[][];
  guessed_camera: boolean;
  proposal: Proposal | null;
}

export interface EndedScan {
  scan_id: string;
  outcome: "completed" | "cancelled" | "stopped" | "failed";
  frames_done: number;
  frames_planned: number;
  error: string | null;
  fault_kind: string | null;
}

export interface Remark {
  at: string;
  message: string;
  scan_id: string | null;
  fault_kind: string | null;
}

export type Leg = "uploading" | "queued" | "reconstructing" | "fetching" | "done" | "failed";

/** One scan on its way to the service and back; `percent` is of the leg. */
export interface UploadProgress {
  scan_id: string;
  leg: Leg;
  percent: number;
  files_confirmed: number;
  bytes_confirmed: number;
  bytes_known: number;
  stage: string | null;
  error: string | null;
  updated_at: string;
}

/** Why nothing moves, in a word. */
export type Hitch =
  | "quiet_hours"
  | "metered"
  | "unreachable"
  | "busy"
  | "certificate"
  | "clock"
  | "key"
  | "device";

/** The way to the service, all scans together. */
export interface WayState {
  carried: number;
  waiting: number;
  in_work: number;
  bytes_left: number;
  rate_bytes_s: number;
  remaining_s: number | null;
  /** `until` is known of quiet hours only; `says` is for people, in English. */
  waits: { hitch: Hitch; says: string; since: string; until: string | null } | null;
  last_error: string | null;
  clock_off_s: number | null;
  first: string | null;
}

/** How the platter's angle came to be known. */
export interface Homing {
  at: string;
  found_by: "here" | "index" | "controller";
  /** By how much counted steps had been off; null: nothing had been counted before. */
  off_deg: number | null;
  step_deg: number;
}

export interface DeviceState {
  device: string;
  version: string;
  /** Another one after each start of the daemon. */
  boot: string;
  seq: number;
  at: string;
  phase: string;
  mood: Mood;
  scan: RunningScan | null;
  interrupted: string | null;
  unfinished: string[];
  fault: string | null;
  fault_kind: string | null;
  warnings: Remark[];
  last_scan: EndedScan | null;
  uploads: UploadProgress[];
  /** Null while no upload runs. */
  link: WayState | null;
  disk: { free_mb: number; reserve_mb: number } | null;
  light_level: number | null;
  /** #rrggbb; null without a light that has colours. */
  light_colour: string | null;
  /** Whether scans can keep raw files: every camera delivers them. */
  has_raw: boolean;
  /** The latest one since the start. */
  homing: Homing | null;
  emergency_stop: boolean | null;
}

export type ScanStanding = "running" | "unfinished" | "cancelled" | "sealed" | "broken";

export interface ScanOverview {
  scan_id: string;
  state: ScanStanding;
  created_at: string | null;
  frames_done: number;
  frames_planned: number;
  upload: UploadProgress | null;
  has_model: boolean;
  size_bytes: number;
  fault: string | null;
}

export type Verdict = "accept" | "retake" | "ask";

export interface Viewpoint {
  index: number;
  ring: number;
  side: number;
  /** Which of the scan's cameras takes it. */
  camera: number;
  /** Of the camera above the platter, where it is known. */
  elevation_deg: number | null;
  repeat: number;
  exposure_ev: number;
  focus_offset_dioptres: number;
  angle_deg: number;
  status: "planned" | "stored";
  verdict: Verdict | null;
  attempts: number;
  reason: string | null;
  /** 1 / edge width, per pixel. */
  sharpness: number | null;
  size_bytes: number | null;
  retake_wanted: boolean;
}

export interface ScanDetail extends ScanOverview {
  rings: number;
  sides: number;
  photo_width_px: number;
  photo_height_px: number;
  has_mat: boolean;
  retakes: number;
  /** Photos that have one. */
  raw_files: number;
  /** Names, by number. */
  cameras: string[];
  viewpoints: Viewpoint[];
}

export interface ResultFile {
  name: string;
  size_bytes: number;
  sha256: string;
  media_type: string;
}

export interface Results {
  verified: boolean;
  files: ResultFile[];
}

export interface Report {
  units: string;
  scale_source: string;
  size: [number, number, number];
  triangles: number;
  watertight: boolean;
  photos_given: number;
  photos_used: number;
}

export type Quality = "draft" | "standard" | "fine";

/** What becomes of what the sensor saw: nothing, a file on the device, one that travels with the scan. */
export type RawPhotos = "never" | "device" | "bundle";

/** How a scan shall be. */
export interface ScanOptions {
  rings: number;
  views: number;
  quality: Quality;
  /** How often the object is laid down. */
  sides: number;
  /** Equal photos from each place. */
  repeats: number;
  exposure_bracket: number;
  focus_bracket: number;
  raw: RawPhotos;
}

/** What somebody chose of it; everything else is as configured. */
export type ScanWishes = Partial<ScanOptions> & {
  ring_elevations_deg?: number[];
  light_level?: number;
  light_colour?: string;
};

/** What can be added to a scan; nothing said is what its coverage proposes. */
export interface MorePhotos {
  views?: number;
  elevation_deg?: number;
  turn_over?: boolean;
}

export interface Forecast {
  photos: number;
  minutes: number;
  megabytes: number;
  free_megabytes: number;
  fits: boolean;
  reason: string | null;
}

export interface Answer {
  command_id: string;
  status: "accepted" | "refused" | "failed";
  scan_id: string | null;
  reason: string | null;
}

export interface EventMessage {
  seq: number;
  at: string;
  type: string;
  data: Record<string, unknown>;
}

export type SettingValue = string | number | boolean | number[] | null;

export interface Setting {
  /** `section.key`: under this its help stands in other languages. */
  id: string;
  name: string;
  kind: "boolean" | "integer" | "number" | "text" | "path" | "choice" | "integers" | "numbers";
  value: SettingValue;
  default: SettingValue;
  optional: boolean;
  unit: string;
  minimum: number | null;
  minimum_excluded: boolean;
  maximum: number | null;
  multiple: number | null;
  max_length: number | null;
  choices: (string | number)[];
  help: string;
  applies: "now" | "idle" | "restart";
}

export interface SettingsSection {
  name: string;
  help: string;
  keys: Setting[];
}

export interface Token {
  token_id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
  /** The one that asks. */
  current: boolean;
}

export interface LogLine {
  at: string;
  text: string;
  level: string;
}
