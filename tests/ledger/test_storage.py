"""What readings take on disk, on whichever database this is; compression is never asked of one that may not."""

from ledger import readings, storage
from ledger.pool import INGEST_ROLE, open_pool, transaction
from ledger.records import Quality, Sample, to_ms
from tests.fix_database import Connection
from tests.small_estate import NOON


async def test_disk_use_counts_chunks_and_indexes(database_url: str, connection: Connection) -> None:
    async with open_pool(database_url, role=INGEST_ROLE) as pool, transaction(pool) as ingest:
        empty = await storage.disk_use(ingest)
        assert (empty.readings, empty.hours, empty.bytes_per_million) == (0, 0, 0.0)
        begin = to_ms(NOON)
        await readings.store(
            ingest,
            [Sample(point, begin + at * 60_000, 1.0, Quality.GOOD, 0) for point in range(10) for at in range(2000)],
        )
        full = await storage.disk_use(ingest)
    assert full.readings == 20_000
    assert 50 < full.bytes_per_million / 1e6 < 200, "a row of 52 bytes and its entry in the index, on pages of 8 KiB"
    assert full.readings_bytes > empty.readings_bytes


async def test_compression_is_on_exactly_where_the_licence_allows_it(database_url: str, connection: Connection) -> None:
    cursor = await connection.execute("select current_setting('timescaledb.license', true)")
    allowed = await cursor.fetchone() == ("timescale",)
    for _ in range(2):
        assert await storage.compress_where_allowed(database_url) is allowed
    use = await storage.disk_use(connection)  # type: ignore[arg-type]
    assert use.compressed is allowed
