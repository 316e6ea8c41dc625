"""Runs exported detectors under Python's onnxruntime. Reads lines of JSON: model file, and pictures as raw pixel files of
one shape [batch, height, width, 3]; answers with lines of JSON: the outputs. `check` asks for onnx's full check."""

import json
import sys

import numpy as np
import onnx
import onnxruntime

sessions = {}
for line in sys.stdin:
    request = json.loads(line)
    path = request["model"]
    if request.get("check"):
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path, load_external_data=False)
        answer = {
            "domains": sorted({node.domain for node in model.graph.node}),
            "operators": sorted({node.op_type for node in model.graph.node}),
            "metadata": {entry.key: entry.value for entry in model.metadata_props},
            "docs": {value.name: value.doc_string for value in [*model.graph.input, *model.graph.output]},
        }
    else:
        if path not in sessions:
            sessions[path] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        pixels = np.fromfile(request["pixels"], np.uint8).reshape(request["shape"])
        boxes, scores, labels, pictures = sessions[path].run(
            ["boxes", "scores", "labels", "pictures"], {"images": pixels}
        )
        answer = {
            "boxes": boxes.tolist(),
            "scores": scores.tolist(),
            "labels": labels.tolist(),
            "pictures": pictures.tolist(),
        }
    print(json.dumps(answer), flush=True)
