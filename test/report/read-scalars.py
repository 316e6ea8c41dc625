# Prints the scalars that TensorBoard itself finds in a folder, as JSON: {tag: [[step, value], …]}.
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
accumulator.Reload()
tags = accumulator.Tags()
found = {tag: [[event.step, event.value] for event in accumulator.Scalars(tag)] for tag in tags["scalars"]}
if tags["tensors"]:
    from tensorboard.util import tensor_util

    for tag in tags["tensors"]:
        events = accumulator.Tensors(tag)
        found[tag] = [[event.step, float(tensor_util.make_ndarray(event.tensor_proto))] for event in events]
json.dump(found, sys.stdout)
