import socket

from app.web.listening import send_at_once


def test_a_connection_sends_both_pieces_of_a_response_without_waiting():
    """As Streamlit opens it: without the protocol's number, which is why asyncio leaves the waiting on."""
    with socket.socket(socket.AF_INET) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        assert send_at_once() >= 1
        with socket.create_connection(listening.getsockname()):
            here, _ = listening.accept()
            with here:
                assert here.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
