"""The value–output circuit of a layer: its maps and weights head by head, however the family stores them.

Tokens are rows, and weights multiply from the right: the values of head h are X W_V + b, what it adds is A V W_O.
"""

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from oversmooth.models.anatomy import Anatomy
from oversmooth.models.norms import norm_map


def normed(anatomy: Anatomy, layer: int, stream: Tensor) -> Tensor:
    """What the attention of a layer would read of that stream, (…, dim): its norm in pre-norm families, else itself."""
    norm = anatomy.circuits[layer].start_norm
    return stream if norm is None else _apply(norm, stream)


def start_gain(anatomy: Anatomy, layer: int) -> Tensor:
    """γ of the norm before the attention of a layer (dim), however the family stores it; ones where there is none."""
    norm = anatomy.circuits[layer].start_norm
    if norm is None:
        return value_weights(anatomy, layer).new_ones(anatomy.hidden_size)
    return norm_map(norm, anatomy.hidden_size).gain


def value_states(anatomy: Anatomy, layer: int, states: Tensor) -> Tensor:
    """Values of a layer, biases included, for states (batch, token, dim) that its attention would read.

    (batch, head, token, head dim); repeated where several heads share one.
    """
    projected = _apply(anatomy.circuits[layer].value, states)
    return _by_head(anatomy, layer, projected).transpose(1, 2)


def value_weights(anatomy: Anatomy, layer: int) -> Tensor:
    """W_V of each head, without bias: (head, dim, head dim); repeated where several heads share one."""
    weight = _right_weight(anatomy.circuits[layer].value)
    return _by_head(anatomy, layer, weight).transpose(0, 1)


def value_bias(anatomy: Anatomy, layer: int) -> Tensor:
    """What is added to the values of each head: (head, 1, head dim); zeros where the family has no such bias."""
    nothing = value_weights(anatomy, layer).new_zeros(1, 1, anatomy.hidden_size)
    return value_states(anatomy, layer, nothing)[0].detach()


def output_weights(anatomy: Anatomy, layer: int) -> Tensor:
    """W_O of each head, without bias: (head, head dim, dim)."""
    weight = _right_weight(anatomy.circuits[layer].projection)
    return weight.reshape(anatomy.heads, -1, weight.shape[-1])


def _apply(module: nn.Module, states: Tensor) -> Tensor:
    # Not the module's call: its hooks belong to the pass that is under way.
    applied: Tensor = module.forward(states)
    return applied


def _right_weight(module: nn.Module) -> Tensor:
    """(in, out)."""
    weight = module.get_parameter("weight").detach()
    return weight if isinstance(module, Conv1D) else weight.T


def _by_head(anatomy: Anatomy, layer: int, columns: Tensor) -> Tensor:
    """The values among what the projection puts out: (…, columns) to (…, head, head dim)."""
    circuit = anatomy.circuits[layer]
    head_dim = _right_weight(circuit.projection).shape[0] // anatomy.heads
    if circuit.layout == "thirds":
        columns = columns.chunk(3, dim=-1)[-1]
    width = 3 * head_dim if circuit.layout == "per_head" else head_dim
    values = columns.reshape(*columns.shape[:-1], -1, width)[..., -head_dim:]
    return values.repeat_interleave(anatomy.heads // values.shape[-2], dim=-2)
