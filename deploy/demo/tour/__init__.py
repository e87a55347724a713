"""The tour: scenes through three services, every step shown and checked."""

from deploy.demo.tour.scene import take_tour

__all__ = ["take_tour"]
