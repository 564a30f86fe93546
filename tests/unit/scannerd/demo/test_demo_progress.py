from datetime import UTC, datetime

from offload.wire.jobs import SyncState
from scannerd.demo.progress import ScanProgress

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_uploads_that_are_tried_in_vain_are_no_sign_of_life() -> None:
    before = ScanProgress(sync=SyncState(scan_id="cup", bytes_sent=100, last_error="no space", updated_at=NOW))
    after = ScanProgress(sync=SyncState(scan_id="cup", bytes_sent=900, last_error="no space", updated_at=NOW))
    assert before.sign_of_life() == after.sign_of_life()


def test_a_file_that_is_through_is_a_sign_of_life() -> None:
    before = ScanProgress(sync=SyncState(scan_id="cup", updated_at=NOW))
    after = ScanProgress(sync=SyncState(scan_id="cup", bytes_confirmed=900, updated_at=NOW))
    assert before.sign_of_life() != after.sign_of_life()
