"""What a test client's service holds inside: its settings, database and bell."""

from fastapi.testclient import TestClient

from backend.edge.context import Context


def inside(client: TestClient) -> Context:
    """The context of the service that this client talks to."""
    found: Context = client.app.state.context  # type: ignore[attr-defined]  # a FastAPI, which Starlette does not say
    return found
