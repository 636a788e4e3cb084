"""Pictures as numbers, views of them and the spectrum of photographs: each against a closed form."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from xai_core.imageset.analysis.natural_spectrum import measure_spectrum, read_crops
from xai_core.inside import PARAMETRIZATIONS
from xai_core.inside.visualization.colour import to_pixels, to_planes
from xai_core.inside.visualization.parametrizations import maco
from xai_core.inside.visualization.spec import CanvasRequest
from xai_core.inside.visualization.spectrum import SPECTRUM_FILE, natural_magnitude
from xai_core.inside.visualization.views import ViewRange, Views, draw_views

SIZES = [(20, 20), (21, 21), (16, 27)]


def make_request(size, channels=3, start=None, pictures=1, seed=0, smoother=0.0) -> CanvasRequest:
    return CanvasRequest((pictures, channels, *size), torch.Generator().manual_seed(seed), start, smoother)


def draw(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_a_photograph_is_written_as_numbers_and_read_back(name, channels, size):
    levels = torch.randint(0, 256, (1, channels, *size), generator=torch.Generator().manual_seed(3))
    photo = levels.float() / 255
    canvas = PARAMETRIZATIONS.get(name).make(make_request(size, channels, photo, pictures=2))
    assert canvas.render().shape == (2, channels, *size)
    assert (canvas.render() - photo).abs().max() <= 1 / 255


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_maco_keeps_the_strength_of_every_wave_at_every_step(channels, size):
    template = natural_magnitude(channels, *size)
    canvas = maco.make_canvas(make_request(size, channels))
    first = canvas.render().detach()
    for step in range(5):
        planes = maco.draw_planes(template, canvas.parameters[0].detach(), *size)
        assert torch.allclose(to_pixels(planes), canvas.render(), atol=1e-6)
        strengths = torch.fft.rfft2(planes, norm="ortho").abs()
        assert (strengths - template).abs().max() < 1e-4 * template.max()
        canvas.update(draw(1, channels, *size, seed=step))
    assert (canvas.render() - first).abs().max() > 0.1


def measure_cosine(canvas, linear_filter: torch.Tensor) -> float:
    drawn = canvas.render().detach() - 0.5
    return float((drawn * linear_filter).sum() / drawn.norm() / linear_filter.norm())


def test_waves_moved_along_the_gradient_become_the_filter_of_a_linear_network():
    """Its gradient is the filter everywhere. Adam, which moves every wave alike, would end at 0.8."""
    wave = torch.cos(2 * torch.pi * torch.arange(32) / 32).expand(1, 1, 32, 32)
    canvas = PARAMETRIZATIONS.get("fourier").make(make_request((32, 32), 1))
    canvas._optimizer = torch.optim.SGD(canvas.parameters, lr=1e-3)
    for _ in range(20):
        canvas.update(wave)
    assert measure_cosine(canvas, wave) >= 0.99


@pytest.mark.parametrize("channels", [1, 3])
def test_maco_finds_the_phases_of_a_filter_with_its_strengths(channels):
    magnitude = natural_magnitude(channels, 48, 48)
    phases = (2 * torch.rand(1, *magnitude.shape, generator=torch.Generator().manual_seed(3)) - 1) * torch.pi
    linear_filter = to_pixels(maco.draw_planes(magnitude, phases, 48, 48)) - 0.5
    canvas = maco.make_canvas(make_request((48, 48), channels))
    assert measure_cosine(canvas, linear_filter) < 0.5
    for _ in range(5):
        canvas.update(linear_filter)
    # Not more: the largest product with the filter has a higher contrast than the filter itself.
    assert measure_cosine(canvas, linear_filter) >= 0.93


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_a_step_goes_up_the_gradient_and_smoother_holds_fine_detail_back(name):
    """Fine detail is the share of the change in the upper half of the frequencies."""
    direction = draw(1, 3, 24, 24)
    fine = []
    for smoother in (0.0, 1.0):
        canvas = PARAMETRIZATIONS.get(name).make(make_request((24, 24), smoother=smoother))
        before = canvas.render().detach().clone()
        canvas.update(direction)
        change = canvas.render().detach() - before
        assert (change * direction).sum() > 0
        power = torch.fft.rfft2(canvas.render().detach() if name == "maco" else change).abs().square()
        high = (torch.fft.fftfreq(24)[:, None].abs() > 0.25) | (torch.fft.rfftfreq(24)[None] > 0.25)
        power[..., 0, 0] = 0
        fine.append(float(power[..., high].sum() / power.sum()))
    assert fine[1] < 0.5 * fine[0]


def test_colours_have_an_inverse_and_brightness_is_grey():
    planes = torch.zeros(1, 3, 2, 2)
    planes[:, 0] = 1
    (pixels,) = to_pixels(planes)
    # Equal up to what the published matrix has them differ.
    assert pixels.amax(0).sub(pixels.amin(0)).max() < 0.01
    assert torch.allclose(to_planes(to_pixels(draw(1, 3, 4, 5))), draw(1, 3, 4, 5), atol=1e-4)


def show(place, pictures, size, padding="grey") -> torch.Tensor:
    noise = torch.zeros(1, pictures.shape[1], *size)
    return Views(torch.tensor([0]), torch.tensor([place]), noise, padding).show(pictures)


def test_a_view_is_a_shift_a_crop_or_a_turn():
    picture = draw(1, 3, 12, 12)
    assert torch.allclose(show([[1.0, 0, 0], [0, 1, 0]], picture, (12, 12)), picture, atol=1e-5)
    # Two pixels of twelve are a sixth of the picture, and the grid goes from -1 to 1.
    shifted = show([[1.0, 0, 1 / 3], [0, 1, 0]], picture, (12, 12))
    assert torch.allclose(shifted[..., :-2], picture[..., 2:], atol=1e-4) and torch.all(shifted[..., -2:] == 0.5)
    assert torch.allclose(show([[0.5, 0, 0], [0, 0.5, 0]], picture, (6, 6)), picture[..., 3:9, 3:9], atol=1e-4)
    turned = show([[0.0, -1, 0], [1, 0, 0]], picture, (12, 12))
    assert torch.allclose(turned, picture.rot90(1, (2, 3)), atol=1e-4)


def test_views_are_spread_as_declared_and_draw_from_their_own_generator():
    view_range = ViewRange(0.6, 0.3, 0.05, centre_spread=0.1, rotation=10, noise=0.2)
    state = torch.get_rng_state()
    views = draw_views(view_range, 2, 4000, (1, 2, 2), 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(state, torch.get_rng_state())
    shares = views.place[:, :, 0].norm(dim=1)
    assert shares.mean() == pytest.approx(0.3, abs=0.005) and shares.std() == pytest.approx(0.05, abs=0.003)
    assert views.place[:, :, 2].std() == pytest.approx(0.2, abs=0.01)
    angles = torch.rad2deg(torch.atan2(views.place[:, 1, 0], views.place[:, 0, 0]))
    assert 9 < angles.abs().max() <= 10.001 and (angles == 0).float().mean() == pytest.approx(1 / 6, abs=0.02)
    assert views.noise.std() == pytest.approx(0.2, abs=0.005)
    assert views.picture.tolist() == [0] * 4000 + [1] * 4000
    again = draw_views(view_range, 2, 4000, (1, 2, 2), 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(again.place, views.place) and torch.equal(again.noise, views.noise)


def test_the_spectrum_in_the_assets_is_that_of_the_crops():
    stored, measured = json.loads(SPECTRUM_FILE.read_text(encoding="utf-8")), measure_spectrum(read_crops())
    assert stored["pictures"] == measured["pictures"] == 240
    for key in ("cycles_per_side", "magnitude", "contrast"):
        assert np.allclose(stored[key], measured[key], rtol=0.01)


def test_the_spectrum_of_white_noise_is_flat_and_that_of_a_wave_has_one_peak():
    noise = [torch.sigmoid(0.3 * draw(1, 3, 64, 64, seed=seed)) for seed in range(20)]
    for curve in measure_spectrum(noise)["magnitude"]:
        assert max(curve) < 1.5 * min(curve)
    wave = 0.5 + 0.2 * torch.sin(2 * torch.pi * 8 * torch.arange(64) / 64).expand(1, 3, 64, 64)
    spectrum = measure_spectrum([wave])
    peak = int(np.argmax(spectrum["magnitude"][0]))
    assert spectrum["cycles_per_side"][peak] == pytest.approx(8, rel=0.2)
