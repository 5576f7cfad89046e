"""Two processes train one model and make one knowledge base, started as a user starts them."""

from pathlib import Path

from apps.customer_service.assistant import open_assistant
from apps.customer_service.session import Session
from core.testing.commands import run_module
from tests.apps.customer_service.tiny_shop import FAQ_COLUMNS, TINY, write_faq, write_queries, write_utterances

WORKER = Path(__file__).with_name("processes_worker.py")


def test_two_processes_end_with_the_same_weights_and_one_knowledge_base(tmp_path: Path) -> None:
    queries = write_queries(tmp_path / "queries.jsonl")
    knowledge = ("--knowledge.path", write_faq(tmp_path / "faq.csv"), *FAQ_COLUMNS, *queries)
    data = ("--config", "cpu", "--data.path", write_utterances(tmp_path / "chats.csv"))
    launch = ("--standalone", "--nproc_per_node", "2", WORKER)
    words = (*launch, *TINY, *data, *knowledge, "--hardware.device", "cpu", "--output-dir", "run")
    done = run_module("torch.distributed.run", *words, cwd=tmp_path)
    assert done.code == 0, done.stderr
    one, two = (tmp_path / f"weights-{rank}.txt" for rank in range(2))
    assert one.read_text() == two.read_text()
    assert "16 = 8 x 1 x 2" in done.stderr
    assert done.stderr.count("queries: 102 train, 21 validation, 21 test") == 1, "one of the two speaks"
    assert (tmp_path / "run" / "bundle" / "assets" / "encoder").is_dir()
    reply, _ = open_assistant(tmp_path / "run").dialogue.reply(Session(), "where is my parcel")
    assert reply.sources[0].entry_id == "f1"
