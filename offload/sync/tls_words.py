"""What is wrong with an encrypted connection, for people in a shop who never heard of certificates."""

import ssl
from datetime import datetime

from offload.sync.trouble import CertificateRefused, ClockWrong, ServiceUnreachable, TryAgain

NOT_YET_VALID, EXPIRED = 9, 10
UNKNOWN_ISSUER = {2, 18, 19, 20, 21}
OTHER_NAME = {62, 64}
"""X509_V_ERR_… as OpenSSL numbers them."""
PLAIN_HTTP = "WRONG_VERSION_NUMBER"


def tls_trouble(url: str, problem: BaseException, now: datetime) -> TryAgain | None:
    """Return what to tell of an error that TLS is the cause of; None where it is not. `now` is local time."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(url, cause, now)
        if isinstance(cause, ssl.SSLError) and cause.reason == PLAIN_HTTP:
            return ServiceUnreachable(
                f"{url} answers without encryption; write http:// instead of https:// if that is meant, else check "
                "the port"
            )
        cause = cause.__cause__ or cause.__context__
    return None


def _certificate(url: str, error: ssl.SSLCertVerificationError, now: datetime) -> TryAgain:
    code, clock = error.verify_code, f"{now:%d %b %Y %H:%M}"
    if code == NOT_YET_VALID:
        return ClockWrong(
            f"this device's clock is wrong: it says {clock}, and the certificate of {url} begins later; set the "
            "clock (it sets itself once the device reaches a time server)"
        )
    if code == EXPIRED:
        return ClockWrong(
            f"the certificate of {url} has expired by this device's clock, which says {clock}; if that is the right "
            "time, whoever runs the service must renew its certificate, else set the clock"
        )
    if code in UNKNOWN_ISSUER:
        return CertificateRefused(
            f"nobody this device trusts vouches for {url} ({error.verify_message}): another machine may answer in "
            "its place, such as a guest network's sign-in page; if the service has a certificate of your own, let "
            "[offload] ca_file name who signed it"
        )
    if code in OTHER_NAME:
        return CertificateRefused(
            f"who answers at {url} is somebody else ({error.verify_message}); check [offload] url, and that no guest "
            "network's sign-in page is in between"
        )
    return CertificateRefused(f"{url} shows a certificate that is not trusted: {error.verify_message}")
