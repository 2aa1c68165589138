"""The text tower of Llama 3.2 Vision."""

from oversmooth.models.families.declaration import family

family("mllama_text_model", only_with_images="cross_attention_layers")
