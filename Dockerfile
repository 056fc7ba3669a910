# The application's image. Alone it runs everything (`scout up`); docker-compose.yml runs its parts one by one.
FROM python:3.12-slim

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && useradd --uid 10001 --create-home scout \
    && install -d -o scout -m 0700 /data
USER 10001
ENV SCOUT_DATA_DIR=/data SCOUT_HOST=0.0.0.0 PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 5000
CMD ["scout", "up"]
