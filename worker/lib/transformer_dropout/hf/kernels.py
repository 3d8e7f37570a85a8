"""Our attention function in a model's config, in place of its kernel; it follows the config when that is changed."""

from typing import Any

from torch import nn

from transformer_dropout.spec import Site

from . import attention, families
from .context import Clock
from .hooks import HookedSite, site_now


class AttentionHooks:
    """Attention sites, and the base model's own attention dropout where `native`."""

    def __init__(self, model: nn.Module, clock: Clock, sites: tuple[Site, ...], native: bool) -> None:
        self.model, self.clock, self.sites, self.native = model, clock, sites, native
        self.reached = 0
        self._modules: list[Any] = []
        self._configs: list[tuple[Any, Any]] = []  # with what each asked for

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        for kernel in attention.NAMES:  # another process may load a model that was saved whole
            attention.register(kernel)

    def follow(self) -> None:
        modules = families.attention_modules(self.model)
        if not self.sites and not attention.takes_masks(self.model):  # it keeps torch's own attention dropout
            self.remove()
            return
        kernel = attention.kernel_name(modules[0].config)
        name = attention.register(kernel)
        attention.check_registered(name)
        own = [attention.own_kernel(module) for module in modules]
        self.remove()
        self._modules, self.reached = modules, 0
        for layer, module in enumerate(modules):
            here = [site for site in self.sites if site.rate_at(layer) > 0.0]
            logits = tuple(site for site in here if site.position == "attention_logits")
            weights = tuple(site for site in here if site.position == "attention_weights")
            place = attention.AttentionPlace(
                self.clock, layer, logits, weights, own[layer], kernel == "eager", self.native
            )
            place.attach(module)
            self.reached += bool(here)
        configs = {
            id(config): config for config in (families.unwrapped(self.model).config, *(m.config for m in modules))
        }
        for config in configs.values():
            asked = config._attn_implementation
            self._configs.append((config, kernel if asked in attention.NAMES.values() else asked))
            config._attn_implementation = name

    def mark(self) -> object:
        return tuple(config._attn_implementation for config, _ in self._configs)

    def now(self) -> tuple[HookedSite, ...]:
        count = families.layer_count(self.model)
        return tuple(site_now(site, sum(site.rate_at(layer) > 0.0 for layer in range(count))) for site in self.sites)

    def remove(self) -> None:
        while self._modules:
            attention.detach(self._modules.pop())
        while self._configs:
            config, asked = self._configs.pop()
            if config._attn_implementation in attention.NAMES.values():  # else it asks for another one since
                config._attn_implementation = asked
