"""A simulated lgpio: what gpiozero's factory and our pulses use of it, on lines that the bench has wired.

`plug_in` and `unplug` are the bench's own; a test compares the rest with the real module's names and signatures.
"""

from drivers.bench.chip_socket import SLOTS, LineBusy

LOW, HIGH = 0, 1
RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3
SET_ACTIVE_LOW, SET_OPEN_DRAIN, SET_OPEN_SOURCE = 4, 8, 16
SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
TX_PWM, TX_WAVE = 0, 1
GROUP_ALL = 0xFFFFFFFFFFFFFFFF

_chip = None


class error(Exception):
    def __init__(self, value):
        self.value = value

    def __str__(self):
        return repr(self.value)


class pulse:
    def __init__(self, group_bits, group_mask, pulse_delay):
        self.group_bits = group_bits
        self.group_mask = group_mask
        self.pulse_delay = pulse_delay


def plug_in(chip):
    global _chip
    _chip = chip


def unplug():
    global _chip
    _chip = None


def gpiochip_open(gpiochip):
    if _chip is None or gpiochip != 0:
        raise error("can not open gpiochip")
    return _chip.open()


def gpiochip_close(handle):
    if _chip is not None:
        _chip.close(handle)
    return 0


def gpio_get_mode(handle, gpio):
    return _chip.mode(handle, gpio)


def gpio_claim_input(handle, gpio, lFlags=0):
    return _told(_chip.claim_input, handle, gpio, lFlags)


def gpio_claim_output(handle, gpio, level=0, lFlags=0):
    return _told(_chip.claim_output, handle, gpio, level)


def gpio_claim_alert(handle, gpio, eFlags, lFlags=0, notify_handle=None):
    return _told(_chip.claim_input, handle, gpio, lFlags)


def gpio_free(handle, gpio):
    return _told(_chip.free, handle, gpio)


def gpio_read(handle, gpio):
    return _told(_chip.read, handle, gpio)


def gpio_write(handle, gpio, level):
    return _told(_chip.write, handle, gpio, level)


def gpio_set_debounce_micros(handle, gpio, debounce_micros):
    return 0


def group_claim_output(handle, gpio, levels=[0], lFlags=0):  # noqa: B006 - as in the original
    return _told(_chip.claim_output, handle, gpio[0], levels[0], True)


def group_free(handle, gpio):
    return _told(_chip.free, handle, gpio)


def tx_pwm(handle, gpio, pwm_frequency, pwm_duty_cycle, pulse_offset=0, pulse_cycles=0):
    return _told(_chip.pwm, handle, gpio, pwm_frequency, pwm_duty_cycle)


def tx_wave(handle, gpio, pulses):
    rows = [(p.group_bits, p.group_mask, p.pulse_delay) for p in pulses]
    return _told(_chip.wave, handle, gpio, rows)


def tx_busy(handle, gpio, kind):
    return int(_told(_chip.waves_left, handle, gpio) > 0)


def tx_room(handle, gpio, kind):
    return SLOTS - _told(_chip.waves_left, handle, gpio)


class callback:
    def __init__(self, handle, gpio, edge=RISING_EDGE, func=None):
        self._chip, self._gpio = _chip, gpio

        def tell(level, tick_ns):
            if edge == BOTH_EDGES or edge == (RISING_EDGE if level else FALLING_EDGE):
                func(0, gpio, level, tick_ns)

        self._chip.listen(gpio, tell)

    def cancel(self):
        self._chip.listen(self._gpio, None)


def _told(do, *arguments):
    try:
        return do(*arguments)
    except LineBusy as busy:
        raise error(str(busy)) from busy
