# Whybox in a container:   docker build -t whybox .   and   docker run --rm -p 8501:8501 whybox
# For an NVIDIA GPU:       docker build -t whybox --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
#                          docker run --rm -p 8501:8501 --gpus all whybox
FROM python:3.12-slim

# Where PyTorch's builds come from; its builds carry a suffix (+cpu, +cu130), which pip prefers to the plain release of the same number.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8501

# The home folder holds what is fetched or kept at run time: torchvision's weights and Whybox's cache.
RUN useradd --create-home --uid 10001 whybox
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -r requirements.txt

# Owned by root: the server cannot change its own code.
COPY . .

USER whybox
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/_stcore/health', timeout=4)"]
CMD ["python", "-m", "pages.ui.frame.server"]
