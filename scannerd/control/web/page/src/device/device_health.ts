import type { DeviceState } from "../api/wire";

/** One of the cameras, as config.toml sets it. */
export interface CameraCard {
  name: string;
  driver: string;
  width_px: number;
  height_px: number;
  elevation_deg: number | null;
}

/** The answer of `GET /device`. Null is what this machine does not tell. */
export interface DeviceHealth {
  name: string;
  version: string;
  uptime_s: number;
  temperature_c: number | null;
  disk: DeviceState["disk"];
  addresses: string[];
  camera: string;
  /** By number. */
  cameras: CameraCard[];
  turntable: string;
  mqtt: string | null;
  offload: string | null;
  health: {
    memory_mb: number;
    free_mb: number | null;
    scans_left: number | null;
    /** In a word each; the page has a text for them. */
    troubles: string[];
  };
}
