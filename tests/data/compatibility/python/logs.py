"""logging to files, with rotation, a queue between threads and a configuration."""
import json
import logging
import logging.config
import logging.handlers
import queue
import warnings
from pathlib import Path

logging.config.dictConfig(
    {
        "version": 1,
        "formatters": {"short": {"format": "%(levelname)s %(name)s %(funcName)s:%(lineno)d %(message)s"}},
        "handlers": {"file": {"class": "logging.FileHandler", "filename": "all.log", "formatter": "short", "encoding": "utf-8"}},
        "root": {"level": "INFO", "handlers": ["file"]},
    }
)
log = logging.getLogger("skill.part")


def work():
    log.info("Grüße %s", 42)
    log.debug("not seen")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")


work()
logging.captureWarnings(True)
warnings.warn("careful", stacklevel=1)
rotating = logging.handlers.RotatingFileHandler("small.log", maxBytes=200, backupCount=2)
small = logging.getLogger("small")
small.propagate = False
small.addHandler(rotating)
for number in range(30):
    small.warning("line number %d", number)
pile = queue.Queue()
listener = logging.handlers.QueueListener(pile, rotating)
listener.start()
logging.handlers.QueueHandler(pile).emit(logging.makeLogRecord({"msg": "queued", "levelno": 30}))
listener.stop()
logging.shutdown()
facts = {"effective": small.getEffectiveLevel(), "all": Path("all.log").read_text(encoding="utf-8"), "rotated": sorted(p.name for p in Path().glob("small.log*"))}
assert "ZeroDivisionError" in facts["all"] and "not seen" not in facts["all"]
print(json.dumps(facts))
