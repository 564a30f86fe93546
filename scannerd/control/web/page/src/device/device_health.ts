/** The answer of `GET /device`. */
export interface DeviceHealth {
  name: string;
  version: string;
  uptime_s: number;
  temperature_c: number | null;
  under_voltage: boolean | null;
  addresses: string[] | null;
  camera: unknown;
  turntable: unknown;
  mqtt: unknown;
  offload: unknown;
}
