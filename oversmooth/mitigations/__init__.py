"""The mitigations: each one file with its formula, its parameters and where it attaches. Imports no torch.

To add one: write a class under :func:`~oversmooth.mitigations.registry.mitigation` in a file of its own and add the
file to the import below. It then appears everywhere by itself.
"""

# The order of these imports is the order in which the mitigations are shown.
# isort: off
from oversmooth.mitigations.softdecay import SoftDecay
from oversmooth.mitigations.fusion import Fusion
from oversmooth.mitigations.neutreno import NeuTRENO
from oversmooth.mitigations.neutreno_reprojected import NeuTRENOReprojected
from oversmooth.mitigations.spectral_shift import SpectralShift
from oversmooth.mitigations.spectral_clip import SpectralClip
from oversmooth.mitigations.dgn import DGN
from oversmooth.mitigations.no_diagonal import NoDiagonal
from oversmooth.mitigations.attention_window import AttentionWindow
from oversmooth.mitigations.local_convolution import LocalConvolution
from oversmooth.mitigations.value_residual import ValueResidual
from oversmooth.mitigations.attnscale import AttnScale
from oversmooth.mitigations.featscale import FeatScale
from oversmooth.mitigations.contranorm import ContraNorm
from oversmooth.mitigations.gfsa import GFSA
from oversmooth.mitigations.centred_attention import CentredAttention
from oversmooth.mitigations.laplacian_heads import LaplacianHeads
from oversmooth.mitigations.attention_temperature import AttentionTemperature
from oversmooth.mitigations.shared_attention import SharedAttention
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.mitigations.layernorm_scaling import LayerNormScaling
from oversmooth.mitigations.residual_scaling import ResidualScaling
from oversmooth.mitigations.wave import Wave
from oversmooth.mitigations.all_but_the_top import AllButTheTop
from oversmooth.mitigations.no_skip import NoSkip
from oversmooth.mitigations.no_mlp import NoMLP
from oversmooth.mitigations.no_norm import NoNorm
from oversmooth.mitigations.noise import Noise
from oversmooth.mitigations.high_frequency_gain import HighFrequencyGain

# isort: on
from oversmooth.mitigations.registry import Declaration, Mitigation, all_mitigations, get, names
from oversmooth.mitigations.specification import parse

__all__ = [
    "DGN",
    "GFSA",
    "AllButTheTop",
    "AttentionTemperature",
    "AttentionWindow",
    "AttnScale",
    "CentredAttention",
    "ContraNorm",
    "Declaration",
    "FeatScale",
    "Fusion",
    "HighFrequencyGain",
    "LaplacianHeads",
    "LayerNormScaling",
    "LocalConvolution",
    "Mitigation",
    "NeuTRENO",
    "NeuTRENOReprojected",
    "NoDiagonal",
    "NoMLP",
    "NoNorm",
    "NoSkip",
    "Noise",
    "PairNorm",
    "ResidualScaling",
    "SharedAttention",
    "SoftDecay",
    "SpectralClip",
    "SpectralShift",
    "ValueResidual",
    "Wave",
    "all_mitigations",
    "get",
    "names",
    "parse",
]
