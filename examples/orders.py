"""An order desk that writes: products, stock and orders in one SQLite file, named by `ORDERS_DB`.

A start to copy. It shows truthful annotations, output schemas, money as `Decimal`, one transaction per change, errors
a model can act on, pages, and progress. SQL is kept in `Desk`, what hosts see in `Orders`.

    ORDERS_DB=orders.sqlite3 mcp-ballast serve examples/orders.py     # or: python examples/orders.py
"""

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import to_thread
from pydantic import BaseModel, Field

from connector import Call, Connector, ToolFailed, tool

SCHEMA = """
CREATE TABLE IF NOT EXISTS product (
    sku TEXT PRIMARY KEY, title TEXT NOT NULL, cents INTEGER NOT NULL, stock INTEGER NOT NULL CHECK (stock >= 0)
);
CREATE TABLE IF NOT EXISTS purchase (
    number INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT NOT NULL, placed_at TEXT NOT NULL, cancelled_at TEXT
);
CREATE TABLE IF NOT EXISTS line (
    number INTEGER NOT NULL REFERENCES purchase, sku TEXT NOT NULL REFERENCES product, quantity INTEGER NOT NULL,
    cents INTEGER NOT NULL, PRIMARY KEY (number, sku)
);
"""
ASSORTMENT = (
    ("TEA-100", "Darjeeling, 100 g", 1290, 40),
    ("TEA-250", "Darjeeling, 250 g", 2890, 25),
    ("POT-1", "Teapot, 1 litre", 3450, 8),
    ("CUP-2", "Two cups", 1995, 12),
    ("SIEVE", "Tea sieve", 690, 3),
)
PAGE = 20

Sku = Annotated[str, Field(description="As list_products shows it.", examples=["TEA-100"], min_length=1, max_length=40)]
Number = Annotated[int, Field(description="The number of an order.", examples=[1], ge=1, le=2**53)]


class Product(BaseModel):
    """What can be ordered. `price` is in EUR; `stock` is what can be ordered now."""

    sku: Sku
    title: str
    price: Decimal
    stock: int


class Products(BaseModel):
    """The whole assortment."""

    products: list[Product]


class Item(BaseModel):
    """What is wanted."""

    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=1000)]


class Line(Item):
    """What was ordered, at the price of that day."""

    price: Decimal


class Order(BaseModel):
    """An order. `total` is in EUR."""

    number: Number
    customer: str
    status: Literal["placed", "cancelled"]
    placed_at: datetime
    lines: list[Line]
    total: Decimal


class Orders(BaseModel):
    """One page, newest first. `next_before` leads to the next page, and is null on the last."""

    orders: list[Order]
    next_before: int | None


class Desk:
    """The file. Every method is one transaction; those that change something are all or nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._transaction(writes=True) as database:
            for statement in SCHEMA.split(";"):
                database.execute(statement)
            if not database.execute("SELECT 1 FROM product").fetchone():
                database.executemany("INSERT INTO product VALUES (?, ?, ?, ?)", ASSORTMENT)

    def products(self) -> list[Product]:
        """Return the assortment, by SKU."""
        with self._transaction() as database:
            rows = database.execute("SELECT * FROM product ORDER BY sku").fetchall()
        return [Product(sku=sku, title=title, price=_euros(cents), stock=stock) for sku, title, cents, stock in rows]

    def order(self, number: int) -> Order:
        """Return one order.

        Raises:
            ToolFailed: there is none.
        """
        with self._transaction() as database:
            return _read(database, number)

    def orders(self, *, before: int | None) -> list[Order]:
        """Return up to a page and one orders, newest first, with numbers under `before`."""
        with self._transaction() as database:
            sql = "SELECT number FROM purchase WHERE number < ? ORDER BY number DESC LIMIT ?"
            numbers = database.execute(sql, (before or 2**63 - 1, PAGE + 1)).fetchall()
            return [_read(database, number) for (number,) in numbers]

    def place(self, customer: str, items: list[Item]) -> Order:
        """Take the items out of stock and note the order.

        Raises:
            ToolFailed: a product is unknown or short; nothing was changed.
        """
        wanted: dict[str, int] = {}
        for item in items:
            wanted[item.sku] = wanted.get(item.sku, 0) + item.quantity
        with self._transaction(writes=True) as database:
            sql = "INSERT INTO purchase (customer, placed_at) VALUES (?, ?) RETURNING number"
            (number,) = database.execute(sql, (customer, _now())).fetchone()
            for sku, quantity in wanted.items():
                cents = _take(database, sku, quantity)
                database.execute("INSERT INTO line VALUES (?, ?, ?, ?)", (number, sku, quantity, cents))
            return _read(database, number)

    def cancel(self, number: int) -> Order:
        """Put the items back into stock and mark the order.

        Raises:
            ToolFailed: there is no such order, or it is cancelled already; nothing was changed.
        """
        with self._transaction(writes=True) as database:
            order = _read(database, number)
            if order.status == "cancelled":
                raise ToolFailed(
                    f"Order {number} is cancelled already, and its items are back in stock. Nothing to do."
                )
            database.execute("UPDATE purchase SET cancelled_at = ? WHERE number = ?", (_now(), number))
            back = [(line.quantity, line.sku) for line in order.lines]
            database.executemany("UPDATE product SET stock = stock + ? WHERE sku = ?", back)
            return _read(database, number)

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            # IMMEDIATE makes two writers wait for each other here; otherwise one would fail when both had read.
            database.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            yield database
            database.execute("COMMIT")
        finally:
            database.close()  # what is not committed by now is rolled back


def _take(database: sqlite3.Connection, sku: str, quantity: int) -> int:
    row = database.execute("SELECT cents, stock FROM product WHERE sku = ?", (sku,)).fetchone()
    if row is None:
        raise ToolFailed(f"There is no product {sku!r}. Call list_products for what there is; nothing was ordered.")
    cents, stock = row
    if stock < quantity:
        raise ToolFailed(f"Only {stock} of {sku} in stock, {quantity} wanted. Order fewer; nothing was ordered.")
    database.execute("UPDATE product SET stock = stock - ? WHERE sku = ?", (quantity, sku))
    return int(cents)


def _read(database: sqlite3.Connection, number: int) -> Order:
    row = database.execute(
        "SELECT customer, placed_at, cancelled_at FROM purchase WHERE number = ?", (number,)
    ).fetchone()
    if row is None:
        raise ToolFailed(f"There is no order {number}. Call list_orders for the numbers there are.")
    customer, placed_at, cancelled_at = row
    rows = database.execute("SELECT sku, quantity, cents FROM line WHERE number = ? ORDER BY rowid", (number,))
    lines = [Line(sku=sku, quantity=quantity, price=_euros(cents)) for sku, quantity, cents in rows]
    return Order(
        number=number,
        customer=customer,
        status="cancelled" if cancelled_at else "placed",
        placed_at=placed_at,
        lines=lines,
        total=sum((line.quantity * line.price for line in lines), Decimal("0.00")),
    )


def _euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class OrderDesk(Connector):
    """Order tea and tea ware: see products and stock, place, find, list and cancel orders.

    Ask the person before place_order and cancel_order: both change stock. Prices are in EUR.
    """

    name = "orders"
    version = "1.0.0"
    title = "Order desk"

    def __init__(self, *, path: Path | None = None, **options: Any) -> None:
        super().__init__(lifespan=self._opened, **options)
        self._path = path

    @asynccontextmanager
    async def _opened(self, _: object) -> AsyncIterator[None]:
        self._desk = Desk(self._path or Path(os.environ.get("ORDERS_DB", "orders.sqlite3")))
        yield

    @tool(read_only=True, open_world=False, idempotent=True)
    def list_products(self) -> Products:
        """List all products with price and stock."""
        return Products(products=self._desk.products())

    @tool(read_only=True, open_world=False, idempotent=True)
    def find_order(self, number: Number) -> Order:
        """Find one order by its number."""
        return self._desk.order(number)

    @tool(read_only=True, open_world=False, idempotent=True)
    def list_orders(self, before: Number | None = None) -> Orders:
        """List orders, newest first, twenty at a time. For the next page pass `next_before` as `before`."""
        orders = self._desk.orders(before=before)
        page = orders[:PAGE]
        return Orders(orders=page, next_before=page[-1].number if len(orders) > PAGE else None)

    @tool(destructive=False, open_world=False, idempotent=False, deadline=30)
    async def place_order(
        self,
        customer: Annotated[str, Field(description="Who orders.", min_length=1, max_length=200)],
        items: Annotated[list[Item], Field(min_length=1, max_length=50)],
        call: Call,
    ) -> Order:
        """Place an order. Takes the items out of stock; all of them, or none if one cannot be had."""
        await call.progress(1, 2, f"taking {len(items)} items out of stock")
        order = await to_thread.run_sync(self._desk.place, customer, items)
        await call.progress(2, 2, f"order {order.number} is placed")
        return order

    @tool(destructive=True, open_world=False, idempotent=False)
    def cancel_order(self, number: Number) -> Order:
        """Cancel an order for good. Puts its items back into stock."""
        return self._desk.cancel(number)


connector = OrderDesk()

if __name__ == "__main__":
    connector.serve()
