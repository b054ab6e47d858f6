"""A network of the user's out of a file; nothing that the file holds is run.

reading.py          read_network: which reader, and .npz with U and V
onnxfile.py         the graph Gemm–Relu–Gemm, or with MatMul and Add
safetensorsfile.py  the weights of Linear–ReLU–Linear in PyTorch
layers.py           two linear layers with biases as a Network
"""
