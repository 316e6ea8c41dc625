"""One evaluation by another program: metrics_peers.py PROGRAM TRUTH RESULTS prints what bench/metrics.ts reads, as JSON.

Times are processor seconds of all threads: reading both files, then evaluate + accumulate with the data in memory.
"""
import contextlib
import importlib
import importlib.metadata
import io
import json
import resource
import sys
import time

MODULES = {
    "pycocotools": ("pycocotools.coco", "COCO", "pycocotools.cocoeval", "COCOeval"),
    "faster-coco-eval": ("faster_coco_eval", "COCO", "faster_coco_eval", "COCOeval_faster"),
    "hotcoco": ("hotcoco", "COCO", "hotcoco", "COCOeval"),
    "ultrafast-pycocotools": ("ultrafast_pycocotools.coco", "COCO", "ultrafast_pycocotools.cocoeval", "COCOeval"),
    # Which takes pycocotools' objects.
    "vernier": ("pycocotools.coco", "COCO", "vernier", "COCOeval"),
}


def evaluation(program, truth, results):
    """The read files, what evaluates and accumulates them, and what tells the AP."""
    coco_module, coco, eval_module, evaluator = MODULES[program]
    coco = getattr(importlib.import_module(coco_module), coco)
    evaluator = getattr(importlib.import_module(eval_module), evaluator)
    ground = coco(truth)
    found = ground.loadRes(results)

    def run():
        judge = evaluator(ground, found, iouType="bbox")
        judge.evaluate()
        judge.accumulate()
        return judge

    def precision(judge):
        judge.summarize()
        return float(judge.stats[0])

    return run, precision


def main():
    program, truth, results = sys.argv[1:4]
    try:
        version = importlib.metadata.version(program)
    except importlib.metadata.PackageNotFoundError:
        print(json.dumps({"absent": True}))
        return
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.process_time()
        run, precision = evaluation(program, truth, results)
        read = time.process_time() - start
        start, wall = time.process_time(), time.perf_counter()
        judge = run()
        cpu, wall = time.process_time() - start, time.perf_counter() - wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        ap = precision(judge)
    print(json.dumps({"version": version, "read": read, "cpu": cpu, "wall": wall, "peak": peak, "ap": ap}))


main()
