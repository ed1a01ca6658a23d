// The platform's API, with the token of the person who signed in. The token lives as long as the tab.

const place = "tatou-session";

export const session = {
  get current() { return JSON.parse(sessionStorage.getItem(place) ?? "null"); },
  begin(token, email) { sessionStorage.setItem(place, JSON.stringify({ token, email })); },
  end() { sessionStorage.removeItem(place); },
};

// The server no longer takes the token: whoever listens shows the sign-in.
export const ended = new EventTarget();

function failure(status, body) {
  let text;
  try { text = JSON.parse(body).error; } catch { text = undefined; }
  return new Error(text ?? (status === 0 ? "The server cannot be reached. Is it running?" : `The server answered ${status}.`));
}

function headers() {
  const token = session.current?.token;
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function send(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method, headers: { ...headers(), ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined, cache: "no-store", credentials: "omit",
    });
  } catch {
    throw failure(0, "");
  }
  if (response.status === 401 && session.current) ended.dispatchEvent(new Event("ended"));
  if (!response.ok) throw failure(response.status, await response.text());
  return response;
}

const json = async (method, path, body) => (await send(method, path, body)).json();

export const api = {
  register: (email, login, password) => json("POST", "/api/create-user", { email, login, password }),
  signIn: (email, password) => json("POST", "/api/login", { email, password }),
  signOut: () => json("POST", "/api/logout"),
  documents: async () => (await json("GET", "/api/list-documents")).documents,
  versions: async (id) => (await json("GET", `/api/list-versions/${id}`)).versions,
  inspection: (id) => json("GET", `/api/inspect-document/${id}`),
  remove: (id) => json("DELETE", `/api/delete-document/${id}`),
  mark: (id, order) => json("POST", `/api/create-watermark/${id}`, order),
  file: async (id) => (await send("GET", `/api/get-document/${id}`)).blob(),

  // fetch() tells nothing of how far an upload is.
  upload(path, name, file, progress) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", path);
      for (const [key, value] of Object.entries(headers())) request.setRequestHeader(key, value);
      request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
      request.addEventListener("load", () => {
        if (request.status === 401) ended.dispatchEvent(new Event("ended"));
        if (request.status < 300) resolve(JSON.parse(request.responseText));
        else reject(failure(request.status, request.responseText));
      });
      request.addEventListener("error", () => reject(failure(0, "")));
      const data = new FormData();
      data.append(name, file, file.name);
      request.send(data);
    });
  },
};
